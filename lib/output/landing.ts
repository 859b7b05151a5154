import type { Handler } from "./server.ts";

/** `/` without the live page: a few links for people who open the port in a browser. */
export function landing(targetPath: string, version: string): Handler {
  const page = landingPage(targetPath, version);
  return () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
}

function landingPage(targetPath: string, version: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>metrics</title></head>
<body>
<h1>metrics ${escapeHtml(version)}</h1>
<p>Watches the Dynamo workers of <code>${escapeHtml(targetPath)}</code>.</p>
<ul>
<li><a href="metrics">/metrics</a>: for Prometheus</li>
<li><a href="readyz">/readyz</a>: ready, and what is missing</li>
<li><a href="livez">/livez</a>: alive</li>
</ul>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
