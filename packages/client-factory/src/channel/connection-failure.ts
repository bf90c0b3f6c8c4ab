import { CallCredentials, type Channel, Metadata, status } from '@grpc/grpc-js';

/** Why a channel has no connection. */
export interface ConnectionFailure {
  /** In grpc-js's words, on one line. */
  readonly reason: string;
  /** What to do about it, where TLS or the want of it is the cause. */
  readonly advice: string | undefined;
}

/**
 * Makes sense of the details of an UNAVAILABLE that grpc-js itself made. They hold what Node or OpenSSL said: of a
 * certificate that is not trusted neither whose it is nor how to trust it, and of TLS meeting plain text even less.
 */
export function explainConnectionFailure(details: string, isSecure: boolean): ConnectionFailure {
  const reason = details
    .replace(/\s+/g, ' ')
    .replace(/[. ]*Resolution note: $/, '')
    .trim();
  const rule = reason.includes(NO_CONNECTION)
    ? RULES.find(({ on, secure = true }) => secure === isSecure && on.test(reason))
    : undefined;
  return { reason, advice: typeof rule?.advice === 'function' ? rule.advice(reason) : rule?.advice };
}

/**
 * What keeps a channel in TRANSIENT_FAILURE, in the details of an UNAVAILABLE; `undefined` where it is no longer kept.
 * grpc-js tells calls alone: so one is made that cannot leave, because its credentials refuse to sign.
 */
export function failureOf(channel: Channel): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = channel.createCall('/grpc-di/WhyNotReady', Date.now() + ANSWER_MS, null, null, null);
    call.setCredentials(NEVER_SIGNING);
    call.start(new Metadata(), {
      onReceiveMetadata() {},
      onReceiveMessage() {},
      onReceiveStatus: ({ code, details }) => resolve(code === status.UNAVAILABLE ? details : undefined),
    });
  });
}

/** Longer than grpc-js needs where the channel still fails, and no longer than somebody waits who has waited already. */
const ANSWER_MS = 1_000;

const NEVER_SIGNING = CallCredentials.createFromMetadataGenerator((_call, sign) => {
  sign(new Error('nothing is to be sent'));
});

/** What pick_first says, alone or inside of what other policies say. */
const NO_CONNECTION = 'No connection established. Last error: ';

interface Rule {
  readonly on: RegExp;
  /** Whether it is about channels with TLS; default true. */
  readonly secure?: boolean;
  readonly advice: string | ((reason: string) => string);
}

/** What a peer's going away looks like when it comes before the first frame of HTTP/2; which of these is a race. */
const HUNG_UP = /Failed to connect \(|ECONNRESET|EPIPE|[Cc]losed before|disconnected before secure/;

/** The first that fits counts. Alerts are what the server says, the others what this side found. */
const RULES: readonly Rule[] = [
  {
    on: /alert certificate required/,
    advice:
      'the server demands a client certificate: write credentials: credentials.createSsl(ca, key, certificate) with ' +
      'one that the server trusts',
  },
  {
    on: /alert (bad|unsupported|unknown ca|certificate|handshake failure)/,
    advice:
      "the server refuses this client's certificate, or the lack of one: give credentials.createSsl(ca, key, " +
      'certificate) one that the server trusts',
  },
  {
    on: /alert no application protocol/,
    advice: 'the server speaks TLS at this port, and no HTTP/2 in it: that is no gRPC server',
  },
  {
    on: /certificate's altnames/,
    advice: (reason) => {
      const name = /DNS:([\w-]+(?:\.[\w-]+)*)/.exec(reason)?.[1] ?? 'name';
      return (
        "the server's certificate is for other names than the address: connect by one of them, or give it with " +
        `channelOptions: { 'grpc.ssl_target_name_override': '${name}' }`
      );
    },
  },
  {
    on: /unable to (verify|get)|self-signed certificate in certificate chain/,
    advice:
      "the server's certificate is signed by a CA that this client does not trust: write credentials: " +
      "credentials.createSsl(ca) with the PEM of the CA's certificate; a server must send intermediate certificates itself",
  },
  {
    on: /self-signed certificate/,
    advice:
      "the server's certificate is signed by itself: to trust it, write credentials: credentials.createSsl(certificate) " +
      'with its PEM',
  },
  {
    on: /certificate has expired/,
    advice: "a certificate of the server is past its end, by this machine's clock: renew it",
  },
  {
    on: /certificate is not yet valid/,
    advice: "a certificate of the server is not valid yet, by this machine's clock",
  },
  {
    on: /wrong version number|packet length too long/,
    advice:
      "the server speaks no TLS at this port: use the port where it does, or plain text: an 'http:' address or " +
      'credentials.createInsecure()',
  },
  {
    on: HUNG_UP,
    advice:
      'the server hung up on the TLS handshake, or right after it: it may demand a client certificate, or not trust the ' +
      'one that it got (credentials.createSsl(ca, key, certificate)), or not speak HTTP/2 there',
  },
  {
    on: HUNG_UP,
    secure: false,
    advice:
      "the server hung up before it spoke HTTP/2: it may speak TLS only, which is an 'https:' address or " +
      'credentials.createSsl()',
  },
];
