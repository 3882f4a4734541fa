"""Reading time: the facts that devices tell, and the reading sessions derived from them."""
