import { generate } from 'selfsigned';

/** In PEM. */
export interface Certificate {
  readonly key: Buffer;
  readonly certificate: Buffer;
}

const KEYS = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate that signs others. */
export async function authority(name: string): Promise<Certificate> {
  const generated = await generate([{ name: 'commonName', value: name }], {
    ...KEYS,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return certificateOf(generated);
}

export interface CertificateOptions {
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
}

/** A certificate for a DNS name; signed by itself where there is no `signer`. */
export async function certificateFor(
  dnsName: string,
  signer: Certificate | undefined,
  { from = -1, until = 1 }: CertificateOptions = {},
): Promise<Certificate> {
  const generated = await generate([{ name: 'commonName', value: 'test' }], {
    ...KEYS,
    notBeforeDate: daysFromNow(from),
    notAfterDate: daysFromNow(until),
    ca: signer && { key: String(signer.key), cert: String(signer.certificate) },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'subjectAltName', altNames: [{ type: 2, value: dnsName }] },
    ],
  });
  return certificateOf(generated);
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}

function certificateOf(generated: { private: string; cert: string }): Certificate {
  return { key: Buffer.from(generated.private), certificate: Buffer.from(generated.cert) };
}
