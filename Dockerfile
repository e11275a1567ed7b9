# Two stages: compile with everything, run with what is needed. The base is an argument, for mirrors and for pinning by digest:
#   docker build --build-arg NODE_IMAGE=node:24-slim -t poolstream:0.1.0 .
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# The image brings its own Node; the optional package with one is for development machines.
RUN npm ci --omit=optional --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="poolstream" \
      org.opencontainers.image.description="Pools of ready-made environments on Kubernetes, dispatched over Redis Streams" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
# A number, so that runAsNonRoot can be verified without looking into the image.
USER 65532:65532
EXPOSE 8080
# Node is process 1: it has handlers for SIGTERM and SIGINT, and starts no children.
ENTRYPOINT ["node", "--enable-source-maps", "dist/main.js"]
CMD ["standalone"]
