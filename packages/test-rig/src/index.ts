export { LeafClient, type LeafServer, LeafService } from './generated/grpc_di/test/v1/leaf.js';
export {
  RelayClient,
  RelayReply,
  RelayRequest,
  type RelayServer,
  RelayService,
} from './generated/grpc_di/test/v1/relay.js';
