"""Export and import, below the address of a Revision."""

from django.urls import path

from .views import exchange

urlpatterns = [
    path("exchange/", exchange.exchange, name="exchange"),
    path("exchange/confirm/", exchange.confirm, name="exchange_confirm"),
    *(
        path(
            f"exchange/draft.{ending}",
            exchange.download,
            {"ending": ending},
            name=f"exchange_{ending}",
        )
        for ending in ("json", "xlsx", "csv")
    ),
]
