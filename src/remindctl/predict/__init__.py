"""What a customer will do next: BG/NBD for orders, gamma-gamma for their value, and how far off.

``predict`` fits a store's models or says what is missing; ``customer_forecasts`` applies them.
"""

from remindctl.predict.document import document
from remindctl.predict.forecast import (
    CustomerForecasts,
    NotEnough,
    Prediction,
    customer_forecasts,
    predict,
)
from remindctl.predict.histories import Histories, histories

__all__ = [
    "CustomerForecasts",
    "Histories",
    "NotEnough",
    "Prediction",
    "customer_forecasts",
    "document",
    "histories",
    "predict",
]
