# The platform as one image: the API, or with the argument `worker` the worker.
# The base is any Debian-like image with Node 20.19 or newer and npm; without a registry, name a local one.
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# None of the packages needs its install script here; some would download what nobody uses.
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

FROM packages AS build
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma prisma
COPY internal internal
COPY cmd cmd
RUN npm run --silent build

FROM packages AS production
# Not the tools of development, nor the built-in Postgres. Prisma carries a compiler for each database it knows, 60 MB.
RUN npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
  && find node_modules/@prisma/client/runtime -type f \( -name '*_fast_*' -o -name '*mysql*' -o -name '*sqlite*' \
    -o -name '*sqlserver*' -o -name '*cockroachdb*' -o -name '*.map' \) -exec rm {} +

FROM ${NODE_IMAGE}
# Git for clones, ssh for those with a deploy key, a static busybox for the health gate of apps. A base that has git and
# busybox needs no package manager.
RUN command -v git && command -v busybox \
  || { apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client busybox-static \
    && rm -rf /var/lib/apt/lists/*; }
WORKDIR /app
COPY --from=production /app/node_modules node_modules
COPY package.json ./
COPY prisma/migrations prisma/migrations
COPY traefik traefik
COPY docker docker
COPY --from=build /app/dist dist
# A volume that is mounted here begins as this folder: writable for the API, which is not root.
RUN mkdir -p /var/lib/berth && chown node:node /var/lib/berth
# The same flags as in cmd/up/programs.ts: they halve the memory of an idle process.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072
USER node
EXPOSE 8080
ENTRYPOINT ["node", "--enable-source-maps", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering", "--max-semi-space-size=2", "dist/cmd/start/main.js"]
