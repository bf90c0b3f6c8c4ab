import type { CallCredentialsSource } from '@grpc-di/client-factory';
import { inject, injectable } from 'inversify';
import { Tokens } from './tokens.js';

/** Shows every service that checkout calls who it is; asked once per attempt, so that a retry has a fresh token. */
@injectable()
export class TokenCredentials implements CallCredentialsSource {
  constructor(@inject(Tokens) private readonly tokens: Tokens) {}

  async getMetadata(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.tokens.current()}` };
  }
}
