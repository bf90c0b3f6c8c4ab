import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  type GrpcObject,
  loadPackageDefinition,
  type ServerDuplexStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { type RunningServer, startServer } from '@grpc-di/test-rig';

/** An xds control plane that knows one name, and what answers under it. */
export function startXdsServer(name: string, port: number): Promise<RunningServer> {
  const resources = resourcesOf(name, port);
  return startServer((server) =>
    server.addService(aggregatedDiscoveryService(), {
      StreamAggregatedResources(call: ServerDuplexStream<DiscoveryRequest, object>) {
        call.on('data', ({ type_url, response_nonce }: DiscoveryRequest) => {
          // Later requests of a type say that its answer has come.
          if (response_nonce === '') {
            const found = resources.filter((resource) => resource['@type'] === type_url);
            call.write({ type_url, version_info: '1', nonce: '1', resources: found });
          }
        });
        call.on('end', () => call.end());
      },
    }),
  );
}

interface DiscoveryRequest {
  readonly type_url: string;
  readonly response_nonce: string;
}

type Resource = { readonly '@type': string } & Record<string, unknown>;

function resourcesOf(name: string, port: number): Resource[] {
  const routes = [{ match: { prefix: '' }, route: { cluster: name } }];
  const endpoint = { address: { socket_address: { address: '127.0.0.1', port_value: port } } };
  return [
    of('config.listener.v3.Listener', {
      name,
      api_listener: {
        api_listener: of('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
          route_config: { name, virtual_hosts: [{ name, domains: ['*'], routes }] },
          http_filters: [{ name: 'router', typed_config: of('extensions.filters.http.router.v3.Router', {}) }],
        }),
      },
    }),
    of('config.cluster.v3.Cluster', {
      name,
      type: 'EDS',
      eds_cluster_config: { eds_config: { ads: {} } },
      lb_policy: 'ROUND_ROBIN',
    }),
    of('config.endpoint.v3.ClusterLoadAssignment', {
      cluster_name: name,
      endpoints: [{ locality: { region: 'here' }, load_balancing_weight: { value: 1 }, lb_endpoints: [{ endpoint }] }],
    }),
  ];
}

/** As `google.protobuf.Any` is written in JSON. */
function of(type: string, message: object): Resource {
  return { '@type': `type.googleapis.com/envoy.${type}`, ...message };
}

function aggregatedDiscoveryService(): ServiceClientConstructor['service'] {
  const deps = join(dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  const definition = loadSync(
    [
      'envoy/service/discovery/v3/ads.proto',
      'envoy/config/listener/v3/listener.proto',
      'envoy/config/cluster/v3/cluster.proto',
      'envoy/config/endpoint/v3/endpoint.proto',
      'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
      'envoy/extensions/filters/http/router/v3/router.proto',
    ],
    {
      keepCase: true,
      defaults: true,
      includeDirs: ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((folder) => join(deps, folder)),
    },
  );
  const { envoy } = loadPackageDefinition(definition) as { envoy: GrpcObject };
  const { AggregatedDiscoveryService } = ['service', 'discovery', 'v3'].reduce(
    (namespace, part) => namespace[part] as GrpcObject,
    envoy,
  );
  return (AggregatedDiscoveryService as ServiceClientConstructor).service;
}
