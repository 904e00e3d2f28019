from django.apps import AppConfig


class FunctionsCatalogConfig(AppConfig):
    name = "functions_catalog"
    verbose_name = "Functions catalog"

    def ready(self) -> None:
        from audit import protection

        from . import event_words

        event_words.register()
        # Sealed documents carry the key, and people's bookmarks do.
        protection.never_deleted("functions_catalog_function", keys=["id", "key"])
        protection.frozen_columns("functions_catalog_function", ["key"], keys=["id", "key"])
        # Look-ups on past dates rest on these rows: an end is written once, nothing else changes.
        protection.never_deleted("functions_catalog_ownership")
        protection.frozen_columns(
            "functions_catalog_ownership",
            [
                "function_id",
                "owner",
                "in_force_from",
                "document_number",
                "revision_number",
                "article_reference",
                "answer",
                "written_at",
            ],
            write_once=["in_force_until"],
        )
