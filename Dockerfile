# The image holds Node, the built program and its runtime packages; it runs as an ordinary user. To serve:
#   docker run -p 80:80 -p 443:443 -v ./perantara.yaml:/etc/perantara/perantara.yaml:ro -v certs:/var/lib/perantara perantara
# with `storage: /var/lib/perantara` in the file. Docker lets ordinary users open ports 80 and 443 inside a container.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json ./
COPY src src
RUN npm run build

# What only the demo of docker-compose.yml runs: the sample upstream and the maker of Pebble's own certificate.
FROM build AS demo
COPY test test

FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# A volume mounted here takes over this owner and mode.
RUN install -d -o node -g node -m 0700 /var/lib/perantara
USER node
VOLUME /var/lib/perantara
EXPOSE 80 443
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run", "--config", "/etc/perantara/perantara.yaml"]
