/** `application/grpc`, `application/grpc+proto`, with or without parameters; not `application/grpc-web`, which is HTTP's. */
export function isGrpcContentType(contentType: string | undefined): boolean {
  return contentType !== undefined && GRPC.test(contentType);
}

const GRPC = /^application\/grpc(?:[+;\s]|$)/i;
