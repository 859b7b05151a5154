import type { Handler, Routes } from "./server.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
};

/** The page runs its own files and talks to its own origin; nothing else, and in no one's frame. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/**
 * Routes to the files of a folder, each under its name and `index.html` at `/`. Each is read once, when first asked for.
 *
 * @throws where the folder has a file of no known type
 */
export function assetRoutes(folder: URL): Routes {
  const routes = new Map<string, Handler>();
  for (const { name } of Deno.readDirSync(folder)) {
    routes.set(name === "index.html" ? "/" : `/${name}`, assetRoute(name, folder));
  }
  return routes;
}

interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

function assetRoute(name: string, folder: URL): Handler {
  const contentType = CONTENT_TYPES[name.slice(name.lastIndexOf(".") + 1)];
  if (contentType === undefined) throw new Error(`a file of the page of no known type: ${name}`);
  let known: Asset | undefined;
  return async (request) => {
    const { bytes, etag } = known ??= await readAsset(new URL(name, folder));
    const headers = { ...PAGE_HEADERS, etag };
    return isKnown(request.headers.get("if-none-match"), etag)
      ? new Response(null, { status: 304, headers })
      : new Response(bytes, {
        headers: { ...headers, "content-type": contentType, "content-length": String(bytes.length) },
      });
  };
}

async function readAsset(file: URL): Promise<Asset> {
  const bytes = await Deno.readFile(file);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { bytes, etag: `"${digest.toBase64({ alphabet: "base64url", omitPadding: true })}"` };
}

/** Whether a reader has these bytes: proxies that compress make the tag a weak one. */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  return ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) ?? false;
}
