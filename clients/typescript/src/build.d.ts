/** Whether this is the build for Node. The other one is for browsers and everything else. The build replaces it by its value (scripts/bundle.mjs). */
declare const IN_NODE: boolean;
