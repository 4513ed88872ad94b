"""How a picture is measured: who it shows, what it copies, how varied a set is."""
