/** How a push treats what the group held before: all replaced, or only metrics of the same name. */
export type PushMethod = "put" | "post";

/** The address of a group at a Pushgateway: `<gateway>/metrics/job/<job>[/instance/<instance>]`. */
export function groupUrl(gateway: URL, { job, instance }: { job: string; instance: string }): URL {
  const url = new URL(gateway);
  const labels = instance === ""
    ? [labelPath("job", job)]
    : [labelPath("job", job), labelPath("instance", instance)];
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/metrics/${labels.join("/")}`;
  return url;
}

/** A label in a path; what a path cannot hold goes in base64, as the Pushgateway's API has it. */
function labelPath(name: string, value: string): string {
  if (/^[\w.-]+$/.test(value) && !/^\.+$/.test(value)) return `${name}/${value}`;
  const bytes = new TextEncoder().encode(value);
  return `${name}@base64/${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}
