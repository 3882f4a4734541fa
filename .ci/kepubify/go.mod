module bookwake/kepubify

go 1.17

require github.com/pgaskin/kepubify/v4 v4.0.4
