/** A service instance, as it describes itself. `started` is an ISO time. */
export interface ServiceInstance {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly description: string;
  readonly started: string;
  readonly endpoints: readonly ServiceEndpoint[];
}

/** An endpoint of a service instance. `data` is JSON text; undefined for an endpoint without statistics of its own. */
export interface ServiceEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly data?: () => string;
}

/** The queue group of Dynamo's endpoints, and NATS' own default. */
const QUEUE_GROUP = "q";

export function pingText(service: ServiceInstance): string {
  return JSON.stringify({ type: "io.nats.micro.v1.ping_response", ...identity(service), metadata: {} });
}

export function infoText(service: ServiceInstance): string {
  return JSON.stringify({
    type: "io.nats.micro.v1.info_response",
    name: service.name,
    id: service.id,
    description: service.description,
    version: service.version,
    metadata: {},
    endpoints: service.endpoints.map(({ name, subject }) => ({
      name,
      subject,
      queue_group: QUEUE_GROUP,
      metadata: {},
    })),
  });
}

/**
 * The statistics of an instance that takes no requests, fields in the order of Dynamo's workers. All micro fields are
 * there, `last_error` too: the original `metrics` takes no data from an endpoint that lacks one.
 */
export function statsText(service: ServiceInstance): string {
  const endpoints = service.endpoints.map(({ name, subject, data }) => {
    const head = JSON.stringify({
      name,
      subject,
      num_requests: 0,
      num_errors: 0,
      processing_time: 0,
      average_processing_time: 0,
      last_error: "",
    });
    return `${head.slice(0, -1)},"data":${data?.() ?? "null"},"queue_group":"${QUEUE_GROUP}"}`;
  });
  const head = JSON.stringify({
    type: "io.nats.micro.v1.stats_response",
    ...identity(service),
    started: service.started,
  });
  return `${head.slice(0, -1)},"endpoints":[${endpoints.join()}]}`;
}

function identity({ name, id, version }: ServiceInstance): { name: string; id: string; version: string } {
  return { name, id, version };
}
