"""From the files a shop lets its owner download to the canonical frames.

``files`` opens containers, ``encodings`` texts, ``grids`` (``delimited`` for texts) finds tables in
them; ``layout`` says what their columns mean, ``identify`` which layout a table is in.
``fields`` and ``values`` say how a cell is read, ``query`` reads a table's cells within the scan,
``orders`` what only a whole order tells, ``engine`` does both for one table. ``merge`` makes one
truth of a store's files, ``identity`` and ``people`` find who is in them, ``devices`` whose a push
token is, ``places`` (with ``zones/``) where their clocks are, ``load`` joins it all. ``coupons``
reads what is no part of that: pools of codes.
"""
