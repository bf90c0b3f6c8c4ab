import { connectivityState, experimental } from '@grpc/grpc-js';
import { HealthWatch } from './health-watch.js';

/**
 * A connection to one server that counts as connecting until its health service has first said something, and as
 * unhealthy while that is not SERVING (gRFC A17).
 */
export class HealthCheckedSubchannel extends experimental.BaseSubchannelWrapper {
  private readonly listeners = new Set<experimental.ConnectivityStateListener>();
  private watch: HealthWatch | undefined;
  private hasAnswered = false;
  private keepaliveTime = -1;

  constructor(
    child: experimental.SubchannelInterface,
    private readonly serviceName: string,
  ) {
    super(child);
    child.addConnectivityStateListener(this.onStateChange);
    if (child.getConnectivityState() === connectivityState.READY) {
      this.startWatch();
    }
  }

  override getConnectivityState(): connectivityState {
    const state = this.child.getConnectivityState();
    return state === connectivityState.READY && !this.hasAnswered ? connectivityState.CONNECTING : state;
  }

  override addConnectivityStateListener(listener: experimental.ConnectivityStateListener): void {
    this.listeners.add(listener);
  }

  override removeConnectivityStateListener(listener: experimental.ConnectivityStateListener): void {
    this.listeners.delete(listener);
  }

  protected override destroy(): void {
    this.stopWatch();
    this.child.removeConnectivityStateListener(this.onStateChange);
    super.destroy();
  }

  private readonly onStateChange: experimental.ConnectivityStateListener = (
    _child,
    previous,
    next,
    keepaliveTime,
    errorMessage,
  ) => {
    this.keepaliveTime = keepaliveTime;
    if (next === connectivityState.READY && previous !== connectivityState.READY) {
      this.startWatch();
      return;
    }
    const shown = previous === connectivityState.READY && !this.hasAnswered ? connectivityState.CONNECTING : previous;
    if (next !== connectivityState.READY) {
      this.stopWatch();
    }
    this.tell(shown, next, errorMessage);
  };

  private startWatch(): void {
    this.stopWatch();
    this.watch = new HealthWatch(this.child, this.serviceName, (isServing) => {
      this.setHealthy(isServing);
      if (!this.hasAnswered) {
        this.hasAnswered = true;
        this.tell(connectivityState.CONNECTING, connectivityState.READY);
      }
    });
  }

  private stopWatch(): void {
    this.watch?.stop();
    this.watch = undefined;
    this.hasAnswered = false;
  }

  private tell(previous: connectivityState, next: connectivityState, errorMessage?: string): void {
    for (const listener of this.listeners) {
      listener(this, previous, next, this.keepaliveTime, errorMessage);
    }
  }
}
