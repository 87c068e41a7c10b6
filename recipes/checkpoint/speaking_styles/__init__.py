"""Speaking styles: lips of people and of designed styles, on the blendshapes of a head."""
