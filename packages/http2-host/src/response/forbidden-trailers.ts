/**
 * Fields that mean something only before the body: RFC 9110, section 6.5.1, "message framing, routing, authentication,
 * request modifiers, response controls, or content format", and HTTP/1.1's connection fields (RFC 9113, section 8.2.2).
 */
const FORBIDDEN = new Set(
  [
    'connection content-length host keep-alive proxy-connection te trailer transfer-encoding upgrade via',
    'authorization proxy-authenticate proxy-authorization www-authenticate cookie set-cookie',
    'cache-control expect max-forwards pragma range',
    'if-match if-modified-since if-none-match if-range if-unmodified-since',
    'age date expires location retry-after vary warning',
    'content-encoding content-range content-type',
  ].flatMap((names) => names.split(' ')),
);

/** @throws TypeError naming the field. */
export function checkTrailerName(caller: string, name: unknown): asserts name is string {
  if (typeof name !== 'string') {
    throw new TypeError(`${caller}(res, name): name must be a string such as 'x-checksum', not ${String(name)}`);
  }
  if (name.startsWith(':')) {
    throw new TypeError(`${caller}(res, '${name}'): a pseudo-header cannot be a trailer`);
  }
  if (FORBIDDEN.has(name.toLowerCase())) {
    throw new TypeError(
      `${caller}(res, '${name}'): this field cannot be a trailer (RFC 9110, section 6.5.1); send it as a header`,
    );
  }
}
