"""What a customer will do next: BG/NBD for orders, gamma-gamma for their value, and how far off.

``predict`` fits a store's models or says what is missing; ``customer_forecasts`` applies them.
"""

from remindctl.predict.document import document
from remindctl.predict.forecast import (
    NEXT_ORDER_DATES,
    CustomerForecasts,
    NotEnough,
    Prediction,
    customer_forecasts,
    next_order_dates,
    predict,
)
from remindctl.predict.histories import Histories, histories

__all__ = [
    "NEXT_ORDER_DATES",
    "CustomerForecasts",
    "Histories",
    "NotEnough",
    "Prediction",
    "customer_forecasts",
    "document",
    "histories",
    "next_order_dates",
    "predict",
]
