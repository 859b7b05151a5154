# Both programs in one image. The base is pinned by tag; to pin what is behind the tag, add its digest (`@sha256:…`).
FROM denoland/deno:2.9.6

WORKDIR /app

# Packages first: this layer stays until the lock file changes.
# zeromq, 40 MB, ajv, axe-core and playwright-core are for tests alone; the rest has built the page in lib/web/assets.
COPY deno.json deno.lock ./
RUN deno remove --quiet --lockfile-only zeromq ajv axe-core playwright-core esbuild preact uplot && deno install --frozen

COPY LICENSE main.ts mock_worker.ts ./
COPY lib/ lib/
# chmod: readable for the user below, whatever the umask of the checkout was.
RUN chmod -R a+rX LICENSE deno.json deno.lock main.ts mock_worker.ts lib && deno cache --frozen main.ts mock_worker.ts

# LANG: terminals take UTF-8, and a container knows nothing of its terminal's.
ENV DENO_NO_UPDATE_CHECK=1 LANG=C.UTF-8

# A number, so that Kubernetes' runAsNonRoot can tell. Nothing is written: a read-only root file system will do.
USER 65532:65532

EXPOSE 9091

# `--cached-only`: nothing is fetched at start. The network is what it is for, the environment is its configuration, files
# hold secrets, and the host's name is part of the key that it pushes under. No write, no child process, no foreign code.
# The mock worker: the same line with mock_worker.ts; the compose file has it.
ENTRYPOINT ["/tini", "--", "deno", "run", "--no-prompt", "--cached-only", "--frozen", "--allow-net", "--allow-env", "--allow-read", "--allow-sys=hostname", "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=70", "main.ts"]
CMD ["--help"]
