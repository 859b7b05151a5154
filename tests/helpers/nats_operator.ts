import { nkeys } from "nats";

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** An operator with one account, whose users log in with JWTs that end. */
export class NatsOperator {
  readonly #operator = nkeys.createOperator();
  readonly #account = nkeys.createAccount();
  readonly #user = nkeys.createUser();

  /** A nats-server configuration that trusts the operator. */
  get config(): string {
    const operator = jwt(this.#operator, this.#operator, { type: "operator", version: 2 });
    const limits = {
      subs: -1,
      data: -1,
      payload: -1,
      imports: -1,
      exports: -1,
      wildcards: true,
      conn: -1,
      leaf: -1,
    };
    const account = jwt(this.#operator, this.#account, { type: "account", version: 2, limits });
    return `operator: ${operator}\nresolver: MEMORY\nresolver_preload: { ${this.#account.getPublicKey()}: ${account} }`;
  }

  /** The text of a `.creds` file of one user, which ends after so many seconds. */
  credentials({ seconds }: { readonly seconds: number }): string {
    const claims = { type: "user", version: 2, subs: -1, data: -1, payload: -1 };
    const text = jwt(this.#account, this.#user, claims, Math.floor(Date.now() / 1_000) + seconds);
    const seed = new TextDecoder().decode(this.#user.getSeed());
    return [
      "-----BEGIN NATS USER JWT-----",
      text,
      "------END NATS USER JWT------",
      "",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
      "",
    ].join("\n");
  }
}

/** As github.com/nats-io/jwt, version 2, writes them. */
function jwt(issuer: KeyPair, subject: KeyPair, nats: object, exp?: number): string {
  const encode = (value: object) => base64(new TextEncoder().encode(JSON.stringify(value)));
  const claims = {
    jti: crypto.randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "test",
    ...(exp !== undefined && { exp }),
    nats,
  };
  const signed = `${encode({ typ: "JWT", alg: "ed25519-nkey" })}.${encode(claims)}`;
  return `${signed}.${base64(issuer.sign(new TextEncoder().encode(signed)))}`;
}

function base64(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
