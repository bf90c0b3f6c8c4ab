import { generate } from 'selfsigned';

/** In PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const KEYS = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate that signs others. */
export async function authority(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'authority' }], {
    ...KEYS,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return { key, cert };
}

/** For `localhost`, or whoever a client says that it is. */
export async function certificateOf(commonName: string, signer: Certificate): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: commonName }], {
    ...KEYS,
    ca: signer,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  return { key, cert };
}
