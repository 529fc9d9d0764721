//! Makes the gRPC client and server, without protoc.

fn main() {
    let echo = tonic_build::manual::Method::builder()
        .name("echo")
        .route_name("Echo")
        .input_type("crate::grpc::Text")
        .output_type("crate::grpc::Text")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let service = tonic_build::manual::Service::builder()
        .name("Echo")
        .package("beside")
        .method(echo)
        .build();
    tonic_build::manual::Builder::new().compile(&[service]);
}
