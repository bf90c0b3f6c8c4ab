import { createHmac, timingSafeEqual } from 'node:crypto';
import { injectable } from 'inversify';

const LIFETIME_MS = 60_000;

/** Stands for an identity provider's client: each token is fetched once and serves all calls until it expires. */
@injectable()
export class Tokens {
  private token: { readonly text: string; readonly expiresAt: number } | undefined;

  async current(): Promise<string> {
    if (this.token === undefined || this.token.expiresAt <= Date.now()) {
      const expiresAt = Date.now() + LIFETIME_MS;
      this.token = { text: `${expiresAt}.${sign(expiresAt)}`, expiresAt };
    }
    return this.token.text;
  }
}

/** What a service makes of the `authorization` that came with a call. */
export function isValid(authorization: string | Buffer | undefined): boolean {
  const [, expiresAt, signature] = /^Bearer (\d+)\.([\w-]+)$/.exec(String(authorization)) ?? [];
  if (expiresAt === undefined || signature === undefined || Number(expiresAt) <= Date.now()) {
    return false;
  }
  const expected = sign(Number(expiresAt));
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

function sign(expiresAt: number): string {
  return createHmac('sha256', process.env.TOKEN_SECRET ?? '')
    .update(String(expiresAt))
    .digest('base64url');
}
