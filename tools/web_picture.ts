/**
 * Writes the picture that the README opens with, docs/images/page.png: the page as the suite sees it with real workers,
 * of which one has just fallen silent.
 */
const MOMENT = "one-silent-dark";

const root = new URL("..", import.meta.url);
const folder = await Deno.makeTempDir({ prefix: "screenshots-" });
try {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "-q", "tests/web/moments_test.ts"],
    cwd: root,
    env: { SCREENSHOTS_DIR: folder },
  }).spawn().status;
  if (!success) Deno.exit(1);
  await Deno.mkdir(new URL("docs/images/", root), { recursive: true });
  await Deno.copyFile(`${folder}/${MOMENT}.png`, new URL("docs/images/page.png", root));
} finally {
  await Deno.remove(folder, { recursive: true });
}
