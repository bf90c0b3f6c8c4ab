import { type StatusObject, status } from '@grpc/grpc-js';
import { type GrpcCallOptions, type GrpcClient, GrpcClientFactory, getGrpcClient } from '@grpc-di/client-factory';
import type { Container } from 'inversify';
import { clientContainer } from '../client/container.js';
import { FrontendClient } from '../generated/shop/v1/frontend.js';
import { Trace } from '../tracing/trace.js';
import { ServiceProcess } from './service-process.js';

type ClientCall = (
  frontend: GrpcClient<FrontendClient>,
  options: GrpcCallOptions,
  trace: Trace,
) => Promise<StatusObject>;

/** The three services, each in its process, and a client of theirs. */
export class Shop {
  private readonly processes: ServiceProcess[] = [];
  private readonly traces = new Map<string, Trace>();
  private container: Container | undefined;

  /** Each service has to know where those are that it calls. */
  async open({ propagate }: { propagate: boolean }): Promise<void> {
    const env = { PROPAGATE: propagate ? 'yes' : 'no' };
    const orders = await this.start('orders', env);
    const users = await this.start('users', { ...env, ORDERS_ADDRESS: orders });
    const frontend = await this.start('frontend', { ...env, ORDERS_ADDRESS: orders, USERS_ADDRESS: users });
    this.container = clientContainer(frontend);
    await this.container.get(GrpcClientFactory).waitForReady();
  }

  /** Makes a call of the client and waits until all `calls` that the services serve for it have ended. */
  async record({ calls, timeoutMs }: { calls: number; timeoutMs?: number }, clientCall: ClientCall): Promise<Trace> {
    const trace = new Trace(`trace-${this.traces.size + 1}`);
    this.traces.set(trace.id, trace);
    await this.unlessOneFails(this.makeCall(trace, timeoutMs, clientCall));
    await this.unlessOneFails(trace.untilEnded(calls));
    return trace;
  }

  async close(): Promise<void> {
    await this.container?.get(GrpcClientFactory).close({ cancelCalls: true });
    await Promise.all(this.processes.map((process) => process.stop()));
  }

  private async makeCall(trace: Trace, timeoutMs: number | undefined, clientCall: ClientCall): Promise<void> {
    const frontend = getGrpcClient(this.container!, FrontendClient);
    const at = Date.now();
    const client = { id: 'client', trace: trace.id, service: 'client', method: '', caller: '' };
    trace.add({ ...client, kind: 'started', at, deadline: at + (timeoutMs ?? Infinity) });
    const { code } = await clientCall(frontend, { metadata: { 'trace-id': trace.id }, timeoutMs }, trace);
    trace.add({ ...client, kind: 'ended', at: Date.now(), outcome: status[code] });
  }

  private start(name: ConstructorParameters<typeof ServiceProcess>[0], env: NodeJS.ProcessEnv): Promise<string> {
    const service = new ServiceProcess(name, env, (event) => this.traces.get(event.trace)?.add(event));
    this.processes.push(service);
    return service.address;
  }

  private unlessOneFails<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, ...this.processes.map(({ failure }) => failure)]);
  }
}
