#!/bin/sh
# Make the secrets that docker-compose.yml names, once; what exists is left alone.
set -eu
umask 077
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"

make() { # name, text
    if [ ! -e "$folder/$1" ]; then
        printf '%s' "$2" >"$folder/$1"
        # The container's user reads the mounted file; the folder keeps everybody else out.
        chmod 0444 "$folder/$1"
    fi
}
random() {
    head -c 48 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

make secret_key "$(random)"
make keys_secret "$(random)"
make db_owner_password "$(random)"
make db_app_password "$(random)"
make owner_database_url "postgres://registry_owner:$(cat "$folder/db_owner_password")@db:5432/registry"
make app_database_url "postgres://registry_app:$(cat "$folder/db_app_password")@db:5432/registry"
echo "Secrets are in $folder. Keep keys_secret with the backup of the keys volume: one without the other is lost."
