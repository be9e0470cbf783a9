set -eu
# Deploys one version; it's "quoted" in every usual way.
VERSION={{ input.version }}
TARGET="{{ input.target }}"
if [ "$TARGET" = "prod" ] && [ -z "{{ input.ticket }}" ]; then
  echo "a ticket is needed for {{ input.target }}" >&2
  exit 1
fi
mkdir -p "out/{{ input.target }}"
curl -fsS -o "out/{{ input.target }}/app.tgz" "https://example.org/app-{{ input.version }}.tgz" || true
for region in {{ input.region }} "eu-{{ input.region }}"; do
  printf 'deploying %s to %s\n' "$VERSION" "$region"
done
git commit --message "Release {{ input.version }}" || true
case "{{ input.target }}" in
  prod) LEVEL=high ;;
  *) LEVEL=low ;;
esac
env APP_LEVEL="$LEVEL" python3 deploy.py --version {{ input.version }} "{{ input.target }}"
kubectl -n {{ input.target }} set image deploy/app "app=registry/app:{{ input.version }}" > log.txt 2>&1
echo 'OUTPUT: {"version": "{{ input.version }}", "target": "{{ input.target }}"}'
