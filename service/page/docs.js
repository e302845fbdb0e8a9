// Starts Swagger UI. BentoML's own script has a badge that sends the document's address to another
// host. This one takes the server from its location, so it also works below a proxy's path.
fetch("docs.json").then((answer) => answer.json()).then((spec) => SwaggerUIBundle({
  spec: { ...spec, servers: [{ url: new URL(".", location).pathname }] },
  dom_id: "#swagger-ui",
  deepLinking: true,
}));
