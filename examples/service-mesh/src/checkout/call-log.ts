import { InterceptingCall, type Interceptor, status } from '@grpc/grpc-js';
import type { GrpcInterceptor } from '@grpc-di/client-factory';
import { inject, injectable } from 'inversify';
import { RequestLog } from './request-log.js';

/** Notes every call to another service, with all its attempts, in the log of the request that it is made for. */
@injectable()
export class CallLog implements GrpcInterceptor {
  constructor(@inject(RequestLog) private readonly log: RequestLog) {}

  readonly intercept: Interceptor = (options, nextCall) => {
    const startedAt = performance.now();
    return new InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) =>
        next(metadata, {
          onReceiveStatus: (outcome, nextStatus) => {
            const rpc = options.method_definition.path.replace(/.*\//, '');
            const servedBy = String(outcome.metadata.get('served-by')[0] ?? 'nobody');
            const ms = Math.round(performance.now() - startedAt);
            this.log.add(`${rpc} ${servedBy} ${status[outcome.code]} ${ms} ms`);
            nextStatus(outcome);
          },
        }),
    });
  };
}
