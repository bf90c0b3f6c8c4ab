import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

// Types that stand in grpc-js's public signatures and that it does not export by name.

export type InterceptingServerListener = Parameters<ServerInterceptingCallInterface['start']>[0];

export type PartialStatusObject = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];
