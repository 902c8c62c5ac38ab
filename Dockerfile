# The image of all our services, the setup and the operator's commands: Node runs the TypeScript as it is.
ARG NODE=node:24.21.0-bookworm-slim

# Only what decides which packages are installed: a change of code leaves the packages below in the build's cache.
FROM ${NODE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete

# The base image brings Node, so the locked one (an optional package) stays out.
FROM ${NODE} AS packages
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app ./
COPY . .
USER node
CMD ["node", "services/order-service/src/main.ts"]
