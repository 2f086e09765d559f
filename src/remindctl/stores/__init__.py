"""From the files a shop lets its owner download to the canonical frames.

``files`` opens containers, ``tables`` finds header and rows, ``layout`` says what the columns mean,
``engine`` turns one table into typed lines, ``identity`` finds the people, ``load`` joins it all.
"""
