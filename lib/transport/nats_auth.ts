import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "nats";

/** How we show NATS who we are. */
export type NatsAuth =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "nkey"; readonly seed: string }
  /** The text of a `.creds` file. */
  | { readonly kind: "credentials"; readonly text: string };

/** What is wrong with a seed or a credentials file, in the library's words; undefined when it can be used. */
export function natsAuthProblem(auth: NatsAuth): string | undefined {
  try {
    natsAuthenticator(auth)("nonce");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export function natsAuthenticator(auth: NatsAuth): Authenticator {
  const encoder = new TextEncoder();
  switch (auth.kind) {
    case "password":
      return usernamePasswordAuthenticator(auth.username, auth.password);
    case "token":
      return tokenAuthenticator(auth.token);
    case "nkey":
      return nkeyAuthenticator(encoder.encode(auth.seed));
    case "credentials":
      return credsAuthenticator(encoder.encode(auth.text));
  }
}
