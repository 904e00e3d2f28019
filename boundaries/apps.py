from django.apps import AppConfig


class BoundariesConfig(AppConfig):
    name = "boundaries"
    verbose_name = "Boundaries"

    def ready(self) -> None:
        from . import outlook, protections

        protections.register()
        outlook.register()
