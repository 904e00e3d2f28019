from django.apps import AppConfig


class BoundariesConfig(AppConfig):
    name = "boundaries"
    verbose_name = "Boundaries"

    def ready(self) -> None:
        from people import registry as people_registry
        from people import signals as people_signals

        from . import (
            dispute_outlook,
            dispute_page,
            exception_lists,
            handover_effects,
            log_words,
            my_signatures,
            outlook,
            protections,
            registry,
            signals,
            signing,
            succession,
        )
        from .archive import lists as archive_lists

        protections.register()
        log_words.register()
        outlook.register()
        dispute_outlook.register()
        people_signals.person_deactivated.connect(
            signing.end_with_the_account, dispatch_uid="intents end with the account"
        )
        people_signals.appointment_changed.connect(
            signing.end_with_the_appointment, dispatch_uid="intents end with the appointment"
        )
        people_signals.appointment_changed.connect(
            succession.on_appointment_changed, dispatch_uid="successions of an appointment"
        )
        signals.revision_in_force.connect(
            succession.on_revision_in_force, dispatch_uid="successions of what comes in force"
        )
        handover_effects.register()
        people_registry.register_account_facts(my_signatures.facts)
        registry.register_panels(dispute_page.panel)
        registry.register_panels(exception_lists.panel)
        registry.register_panels(archive_lists.panel)
