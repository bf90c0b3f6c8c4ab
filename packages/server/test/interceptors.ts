import { ServerInterceptingCall, type ServerInterceptor, type StatusObject } from '@grpc/grpc-js';

/** An interceptor that ends the last call with a status of its own, whatever the handler does. */
export function answering(answer: StatusObject): {
  readonly interceptor: ServerInterceptor;
  readonly answerNow: () => void;
} {
  let last: ServerInterceptingCall | undefined;
  return {
    interceptor: (_method, call) => {
      last = new ServerInterceptingCall(call);
      return last;
    },
    answerNow: () => last!.sendStatus(answer),
  };
}
