/** To be loaded before Ink: else React is its development build, which takes three times the CPU. */
Deno.env.set("NODE_ENV", "production");
