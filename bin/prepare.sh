# Read by the programs beside it: what must be there before our own TypeScript can run. The current folder is the checkout.

need_node() {
  if ! command -v node >/dev/null 2>&1; then
    echo "Node.js is missing: install version 20.19 or newer, see https://nodejs.org/en/download" >&2
    exit 1
  fi
  if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    echo "Node.js $(node --version) is too old: install version 20.19 or newer, see https://nodejs.org/en/download" >&2
    exit 1
  fi
}

# npm writes node_modules/.package-lock.json last, so it tells a whole installation from a broken-off one.
need_packages() {
  if [ -f node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
    return
  fi
  echo "Installing packages (npm ci) ..."
  npm ci --no-audit --no-fund --loglevel=error
}

need_build() {
  if [ -f dist/.built ] && [ -z "$(find cmd internal prisma tsconfig.json tsconfig.build.json package-lock.json \
    -newer dist/.built ! -path '*/generated/*' ! -name '*.test.ts' ! -type d | head -n 1)" ]; then
    return
  fi
  echo "Building ..."
  # Dated before the build: what is changed while it runs is built the next time.
  mkdir -p dist
  touch dist/.building
  npm run --silent build || return 1
  mv dist/.building dist/.built
}
