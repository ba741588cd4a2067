# Cutover in a container: `make build`, which also writes .dockerignore, then `docker build -t cutover .`; no step needs a network.
# BASE needs nothing but a Node from 24.15 on.
ARG BASE=node:24-slim
FROM ${BASE}
COPY . /usr/local/lib/cutover/
# A new volume that is mounted here belongs to the same user.
RUN ["node", "-e", "fs.mkdirSync('/var/lib/cutover', { recursive: true }); fs.chownSync('/var/lib/cutover', 1000, 1000)"]
ENV PATH=/usr/local/lib/cutover/bin:$PATH
# Not root. To start containers it needs the group of the engine's socket: --group-add $(stat -c %g /var/run/docker.sock)
USER 1000:1000
EXPOSE 8080
# Drained at SIGTERM: what is in flight finishes, for up to timeouts.drain (30 s): docker stop -t 35.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "/usr/local/lib/cutover/dist/cli/main.js", "list", "--config", "/etc/cutover/config.json"]
ENTRYPOINT ["node", "--max-semi-space-size=64", "/usr/local/lib/cutover/dist/cli/main.js"]
CMD ["run", "--config", "/etc/cutover/config.json"]
