#!/usr/bin/env bash
# Installs the applications that profcli's tests run, pinned, into target/apps/VERSION for each Python there is.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
pure=(docutils==0.20.1 sympy==1.13.3 mpmath==1.3.0)

# Any pip can install for any version of Python, as long as only wheels are asked for.
installer=
for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.{13,12,11,10}.*/bin/python3 python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
        installer=$candidate
        break
    fi
done
if [[ -z $installer ]]; then
    echo "apps: no Python with pip" >&2
    exit 1
fi

for version in 3.9 3.10 3.11 3.12 3.13; do
    folder=$target/apps/$version
    [[ -f $folder/complete ]] && continue
    # The last numpy with wheels for 3.9 has none for 3.13.
    numpy=numpy==2.1.3
    [[ $version == 3.9 ]] && numpy=numpy==2.0.2
    rm -rf "$folder"
    "$installer" -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps --target "$folder" \
        --python-version "$version" --only-binary=:all: "${pure[@]}" "$numpy"
    touch "$folder/complete"
    echo "apps: $folder"
done
