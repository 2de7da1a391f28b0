# The board in a container: docs/deploy.md says how to run it.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /source
COPY requirements.txt .
RUN python3 -m venv /opt/longboard \
    && /opt/longboard/bin/pip install --no-cache-dir --only-binary=:all: -r requirements.txt
COPY . .
# Nothing is installed in a board's container, so it has no pip.
RUN /opt/longboard/bin/pip install --no-cache-dir --no-deps /source \
    && /opt/longboard/bin/pip uninstall --yes --quiet pip setuptools

# hadolint ignore=DL3006
FROM ${BASE}
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Longboard" \
      org.opencontainers.image.description="A live message board" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
RUN groupadd --gid 1000 longboard \
    && useradd --uid 1000 --gid 1000 --home-dir /data --no-create-home --shell /usr/sbin/nologin longboard \
    && install --directory --owner=1000 --group=1000 --mode=700 /data
COPY --from=build /opt/longboard /opt/longboard
ENV PATH=/opt/longboard/bin:$PATH \
    ADDRESS=0.0.0.0 \
    DATABASE_URL=sqlite:////data/board.db
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '8080') + '/healthz')"]
ENTRYPOINT ["longboard"]
