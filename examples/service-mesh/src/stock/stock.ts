import { setTimeout } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { CallCancelledError } from '@grpc-di/client-factory';
import type { GrpcService, ServerCallContext } from '@grpc-di/server';
import { injectable } from 'inversify';
import { isValid } from '../auth/tokens.js';
import type { Reservation, ReserveRequest, StockServer } from '../generated/store/v1/stock.js';

/** Several instances of it run, in regions and at tenants. */
@injectable()
export class Stock implements GrpcService<StockServer> {
  private readonly instance = process.env.INSTANCE ?? 'stock';

  async reserve({ orderId, workMs }: ReserveRequest, context: ServerCallContext): Promise<Reservation> {
    if (!isValid(context.requestMetadata.get('authorization')[0])) {
      const details = 'A valid token of the store is needed';
      throw Object.assign(new Error(details), { code: status.UNAUTHENTICATED, details });
    }
    if (context.requestMetadata.get('grpc-previous-rpc-attempts').length > 0) {
      console.log(`takes ${orderId} over`);
    }
    try {
      await setTimeout(workMs, undefined, { signal: context.signal });
    } catch (error) {
      context.throwIfCancelled();
      throw error;
    } finally {
      if (context.cancelled) {
        const { code } = context.signal.reason as CallCancelledError;
        console.log(`stopped looking for ${orderId}: ${status[code]}`);
      }
    }
    context.trailers.set('served-by', this.instance);
    return { reservedBy: this.instance };
  }
}
