set -eu
# Rolls one version out, region by region.
{% set version = input.version | trim | replace(from="v", to="") -%}
TARGET="{{ input.target }}"
{% if input.dry %}
MODE=server
{% else %}
MODE=none
{% endif %}
mkdir -p "out/{{ input.target }}"
{% for region in input.regions %}
printf '%s of %s: %s\n' {{ loop.index }} {{ input.regions | length }} {{ region }}
if [ "$TARGET" = "prod" ]; then
  kubectl --context {{ region ~ "-prod" }} --dry-run="$MODE" set image deploy/app "app=registry/app:{{ version }}"
fi
{% else %}
echo "no region is given" >&2
{% endfor %}
git commit --message "Release {{ version }} to {{ input.regions | join(sep=", ") }}" || true
echo 'OUTPUT: {"version": "{{ version }}", "regions": {{ input.regions }}}'
