"""The words that every layer shares: stores, campaigns, messages and states, as frozen values.

The YAML doors (``config``, ``campaigns``) build these, the core computes with them and the edges
apply them. Nothing here knows about files, frames or the network.
"""

from remindctl.model.campaigns import (
    Audience,
    Basis,
    Button,
    Campaign,
    Condition,
    Coupon,
    Due,
    KakaoCoupon,
    Leg,
    Step,
    Variant,
)
from remindctl.model.messages import (
    FAMILY,
    Channel,
    Family,
    Purpose,
    State,
    key_of,
    keys_of,
)
from remindctl.model.stores import (
    PROVIDER_PLUGINS,
    WHOLE_CURRENCIES,
    Cap,
    Ceiling,
    Policy,
    Store,
)
from remindctl.model.times import (
    Calendar,
    Span,
    Statistic,
    Window,
)

__all__ = [
    "FAMILY",
    "PROVIDER_PLUGINS",
    "WHOLE_CURRENCIES",
    "Audience",
    "Basis",
    "Button",
    "Calendar",
    "Campaign",
    "Cap",
    "Ceiling",
    "Channel",
    "Condition",
    "Coupon",
    "Due",
    "Family",
    "KakaoCoupon",
    "Leg",
    "Policy",
    "Purpose",
    "Span",
    "State",
    "Statistic",
    "Step",
    "Store",
    "Variant",
    "Window",
    "key_of",
    "keys_of",
]
