export { debianProgram } from './debian-program.js';
export { LeafClient, LeafService } from './generated/grpc_di/test/v1/leaf.js';
export {
  RelayClient,
  RelayReply,
  RelayRequest,
  type RelayServer,
  RelayService,
} from './generated/grpc_di/test/v1/relay.js';
export { type RunningServer, startServer } from './grpc-server.js';
export {
  type Arrival,
  CALL_KINDS,
  CASE_KEY,
  type CallKind,
  type RunningLeaf,
  startLeaf,
} from './leaf-server.js';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
