"""What the appliance keeps about itself."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from appliance.models.columns import UtcDateTime


class Setting(SQLModel, table=True):
    """A value the appliance made for itself, such as the hash of the set-up code."""

    key: str = Field(primary_key=True)
    value: str


class SweepRun(SQLModel, table=True):
    """The last run of a sweep. `result` is a sentence; `ok` is false when it failed."""

    name: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ok: bool = True
    result: str = ""
