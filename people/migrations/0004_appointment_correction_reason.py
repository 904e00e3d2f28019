"""Why an earlier record was wrong, kept on the one that corrects it until that one counts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_one_holder_at_a_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="correction_reason",
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
